# Batch normalisation of channels, with the statistics of the batch
input x[n,c,t]
param gamma[c], beta[c]
number eps = 1e-5
mu[c] = mean(n, t, x[n,c,t])
var[c] = mean(n, t, (x[n,c,t] - mu[c])**2)
sigma[c] = sqrt(var[c] + eps)
xhat[n,c,t] = (x[n,c,t] - mu[c])/sigma[c]
output a[n,c,t] = gamma[c]*xhat[n,c,t] + beta[c]
eliminate mu, var, sigma
