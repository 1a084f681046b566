# Layer normalisation, with the statistics of each sample
input x[*,c]
param gamma[c], beta[c]
number eps = 1e-5
mu[*] = mean(c, x[*,c])
var[*] = mean(c, (x[*,c] - mu[*])**2)
sigma[*] = sqrt(var[*] + eps)
xhat[*,c] = (x[*,c] - mu[*])/sigma[*]
output a[*,c] = gamma[c]*xhat[*,c] + beta[c]
eliminate mu, var, sigma
