# The mean of each window
input x[n,c,t]
size S = K
size I = (T - K)//S + 1
output a[n,c,i] = mean(k, x[n,c,S*(i-1)+k])
