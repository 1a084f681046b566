# Batch normalisation, with the statistics of the batch
input x[n,c]
param gamma[c], beta[c]
number eps = 1e-5
mu[c] = mean(n, x[n,c])
var[c] = mean(n, (x[n,c] - mu[c])**2)
sigma[c] = sqrt(var[c] + eps)
xhat[n,c] = (x[n,c] - mu[c])/sigma[c]
output a[n,c] = gamma[c]*xhat[n,c] + beta[c]
eliminate mu, var, sigma
