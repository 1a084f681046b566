# Batch normalisation, with statistics that are given
input x[n,c]
param gamma[c], beta[c]
data mu[c], var[c]
number eps = 1e-5
sigma[c] = sqrt(var[c] + eps)
xhat[n,c] = (x[n,c] - mu[c])/sigma[c]
output a[n,c] = gamma[c]*xhat[n,c] + beta[c]
