# Division by the root of the mean square
input x[*,c]
param gamma[c]
number eps = 1e-5
m[*] = mean(c, x[*,c]**2)
rho[*] = sqrt(m[*] + eps)
xhat[*,c] = x[*,c]/rho[*]
output a[*,c] = gamma[c]*xhat[*,c]
eliminate m, rho
