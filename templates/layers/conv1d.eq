# Convolution along one axis
input x[n,c,t]
param w[o,c,k], b[o]?
size S = 1, P = 0, D = 1
size I = (T + 2*P - D*(K-1) - 1)//S + 1
z[n,o,i] = sum(c, k, w[o,c,k]*x[n,c,S*(i-1)+D*(k-1)+1-P]) + b[o]
output a[n,o,i] = act(z[n,o,i])
