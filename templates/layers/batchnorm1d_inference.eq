# Batch normalisation, with statistics that are given
input x[n,c,t]
param gamma[c], beta[c]
data mu[c], var[c]
number eps = 1e-5
sigma[c] = sqrt(var[c] + eps)
xhat[n,c,t] = (x[n,c,t] - mu[c])/sigma[c]
output a[n,c,t] = gamma[c]*xhat[n,c,t] + beta[c]
