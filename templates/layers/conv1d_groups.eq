# Convolution along one axis, in groups of channels
input x[n,(g,c),t]
param w[g,o,c,k], b[g,o]?
size S = 1, P = 0, D = 1
size I = (T + 2*P - D*(K-1) - 1)//S + 1
z[n,(g,o),i] = sum(c, k, w[g,o,c,k]*x[n,(g,c),S*(i-1)+D*(k-1)+1-P]) + b[g,o]
output a[n,(g,o),i] = act(z[n,(g,o),i])
