# Long short-term memory whose gradient stops at the border of every piece of B steps
input x[n,t,j]
param W_i[h,j], U_i[h,k], b_i[h]?
param W_f[h,j], U_f[h,k], b_f[h]?
param W_g[h,j], U_g[h,k], b_g[h]?
param W_o[h,j], U_o[h,k], b_o[h]?
index k: H
size B
e[n,t,h] = [(t-1) % B >= 1]*a[n,t-1,h] + [(t-1) % B <= 0]*stop(a[n,t-1,h])
m[n,t,h] = [(t-1) % B >= 1]*c[n,t-1,h] + [(t-1) % B <= 0]*stop(c[n,t-1,h])
z_f[n,t,h] = sum(j, W_f[h,j]*x[n,t,j]) + sum(k, U_f[h,k]*e[n,t,k]) + b_f[h]
z_i[n,t,h] = sum(j, W_i[h,j]*x[n,t,j]) + sum(k, U_i[h,k]*e[n,t,k]) + b_i[h]
z_g[n,t,h] = sum(j, W_g[h,j]*x[n,t,j]) + sum(k, U_g[h,k]*e[n,t,k]) + b_g[h]
z_o[n,t,h] = sum(j, W_o[h,j]*x[n,t,j]) + sum(k, U_o[h,k]*e[n,t,k]) + b_o[h]
f[n,t,h] = sigmoid(z_f[n,t,h])
i[n,t,h] = sigmoid(z_i[n,t,h])
g[n,t,h] = tanh(z_g[n,t,h])
o[n,t,h] = sigmoid(z_o[n,t,h])
c[n,t,h] = f[n,t,h]*m[n,t,h] + i[n,t,h]*g[n,t,h]
r[n,t,h] = tanh(c[n,t,h])
output a[n,t,h] = o[n,t,h]*r[n,t,h]
