# Highway layer: a gate between the new value and the old one (Srivastava, Greff and Schmidhuber, 2015)
input  x[n,j]
param  W[i,j], V[i,j], b[i], c[i]
index  i: J
h[n,i] = tanh(sum(j, W[i,j]*x[n,j]) + b[i])
r[n,i] = sigmoid(sum(j, V[i,j]*x[n,j]) + c[i])
output y[n,i] = r[n,i]*h[n,i] + (1 - r[n,i])*x[n,i]
