# Gated recurrent unit whose gradient stops at the border of every piece of B steps
input x[n,t,j]
param W_r[h,j], U_r[h,k], b_r[h]?
param W_s[h,j], U_s[h,k], b_s[h]?
param W_q[h,j], U_q[h,k], b_q[h]?, b_e[h]?
index k: H
size B
m[n,t,h] = [(t-1) % B >= 1]*a[n,t-1,h] + [(t-1) % B <= 0]*stop(a[n,t-1,h])
z_r[n,t,h] = sum(j, W_r[h,j]*x[n,t,j]) + sum(k, U_r[h,k]*m[n,t,k]) + b_r[h]
z_s[n,t,h] = sum(j, W_s[h,j]*x[n,t,j]) + sum(k, U_s[h,k]*m[n,t,k]) + b_s[h]
r[n,t,h] = sigmoid(z_r[n,t,h])
s[n,t,h] = sigmoid(z_s[n,t,h])
e[n,t,h] = sum(k, U_q[h,k]*m[n,t,k]) + b_e[h]
z_q[n,t,h] = sum(j, W_q[h,j]*x[n,t,j]) + b_q[h] + r[n,t,h]*e[n,t,h]
q[n,t,h] = tanh(z_q[n,t,h])
output a[n,t,h] = (1 - s[n,t,h])*q[n,t,h] + s[n,t,h]*m[n,t,h]
