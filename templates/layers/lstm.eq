# Long short-term memory
input x[n,t,j]
param W_i[h,j], U_i[h,k], b_i[h]?
param W_f[h,j], U_f[h,k], b_f[h]?
param W_g[h,j], U_g[h,k], b_g[h]?
param W_o[h,j], U_o[h,k], b_o[h]?
index k: H
z_f[n,t,h] = sum(j, W_f[h,j]*x[n,t,j]) + sum(k, U_f[h,k]*a[n,t-1,k]) + b_f[h]
z_i[n,t,h] = sum(j, W_i[h,j]*x[n,t,j]) + sum(k, U_i[h,k]*a[n,t-1,k]) + b_i[h]
z_g[n,t,h] = sum(j, W_g[h,j]*x[n,t,j]) + sum(k, U_g[h,k]*a[n,t-1,k]) + b_g[h]
z_o[n,t,h] = sum(j, W_o[h,j]*x[n,t,j]) + sum(k, U_o[h,k]*a[n,t-1,k]) + b_o[h]
f[n,t,h] = sigmoid(z_f[n,t,h])
i[n,t,h] = sigmoid(z_i[n,t,h])
g[n,t,h] = tanh(z_g[n,t,h])
o[n,t,h] = sigmoid(z_o[n,t,h])
c[n,t,h] = f[n,t,h]*c[n,t-1,h] + i[n,t,h]*g[n,t,h]
r[n,t,h] = tanh(c[n,t,h])
output a[n,t,h] = o[n,t,h]*r[n,t,h]
