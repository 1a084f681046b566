# The largest value in each window
input x[n,c,t]
size S = K
size I = (T - K)//S + 1
output a[n,c,i] = max(k, x[n,c,S*(i-1)+k])
