# A causal, dilated, gated convolution, as in WaveNet (van den Oord et al., 2016)
input  x[n,c,t]
param  W[o,c,k], V[o,c,k]
size   D = 1
f[n,o,t] = tanh(sum(c, k, W[o,c,k]*x[n,c,t-D*(K-k)]))
g[n,o,t] = sigmoid(sum(c, k, V[o,c,k]*x[n,c,t-D*(K-k)]))
output y[n,o,t] = f[n,o,t]*g[n,o,t]
