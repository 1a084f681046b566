# Group normalisation (Wu and He, 2018)
input  x[n,(g,c),t]
param  gamma[g,c], beta[g,c]
number eps = 1e-5
mu[n,g] = mean(c, t, x[n,(g,c),t])
var[n,g] = mean(c, t, (x[n,(g,c),t] - mu[n,g])**2)
sigma[n,g] = sqrt(var[n,g] + eps)
xhat[n,g,c,t] = (x[n,(g,c),t] - mu[n,g])/sigma[n,g]
output y[n,(g,c),t] = gamma[g,c]*xhat[n,g,c,t] + beta[g,c]
eliminate mu, var, sigma
