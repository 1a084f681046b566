# The largest value in each window of an image
input x[n,c,u,v]
size L = K, S = K, Q = L
size I = (U - K)//S + 1, J = (V - L)//Q + 1
output a[n,c,i,j] = max(k, l, x[n,c,S*(i-1)+k,Q*(j-1)+l])
