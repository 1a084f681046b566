# Batch normalisation, with statistics that are given
input x[n,c,u,v]
param gamma[c], beta[c]
data mu[c], var[c]
number eps = 1e-5
sigma[c] = sqrt(var[c] + eps)
xhat[n,c,u,v] = (x[n,c,u,v] - mu[c])/sigma[c]
output a[n,c,u,v] = gamma[c]*xhat[n,c,u,v] + beta[c]
