# A weighted sum of the products of all pairs of inputs
input x[n,j]
param w[i,j,k], b[i]?
index k: J
z[n,i] = sum(j, k, w[i,j,k]*x[n,j]*x[n,k]) + b[i]
output a[n,i] = act(z[n,i])
