# Gated recurrent unit
input x[n,t,j]
param W_r[h,j], U_r[h,k], b_r[h]?
param W_s[h,j], U_s[h,k], b_s[h]?
param W_q[h,j], U_q[h,k], b_q[h]?, b_e[h]?
index k: H
z_r[n,t,h] = sum(j, W_r[h,j]*x[n,t,j]) + sum(k, U_r[h,k]*a[n,t-1,k]) + b_r[h]
z_s[n,t,h] = sum(j, W_s[h,j]*x[n,t,j]) + sum(k, U_s[h,k]*a[n,t-1,k]) + b_s[h]
r[n,t,h] = sigmoid(z_r[n,t,h])
s[n,t,h] = sigmoid(z_s[n,t,h])
e[n,t,h] = sum(k, U_q[h,k]*a[n,t-1,k]) + b_e[h]
z_q[n,t,h] = sum(j, W_q[h,j]*x[n,t,j]) + b_q[h] + r[n,t,h]*e[n,t,h]
q[n,t,h] = tanh(z_q[n,t,h])
output a[n,t,h] = (1 - s[n,t,h])*q[n,t,h] + s[n,t,h]*a[n,t-1,h]
