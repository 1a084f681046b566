# Batch normalisation of channels, with the statistics of the batch
input x[n,c,u,v]
param gamma[c], beta[c]
number eps = 1e-5
mu[c] = mean(n, u, v, x[n,c,u,v])
var[c] = mean(n, u, v, (x[n,c,u,v] - mu[c])**2)
sigma[c] = sqrt(var[c] + eps)
xhat[n,c,u,v] = (x[n,c,u,v] - mu[c])/sigma[c]
output a[n,c,u,v] = gamma[c]*xhat[n,c,u,v] + beta[c]
eliminate mu, var, sigma
