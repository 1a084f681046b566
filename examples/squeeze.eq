# Squeeze and excitation: a gate for each channel (Hu, Shen and Sun, 2018)
input  x[n,c,t]
param  U[h,c], V[c,h]
s[n,c]   = sum(t, x[n,c,t]) / T
u[n,h]   = relu(sum(c, U[h,c]*s[n,c]))
g[n,c]   = sigmoid(sum(h, V[c,h]*u[n,h]))
output y[n,c,t] = g[n,c] * x[n,c,t]
