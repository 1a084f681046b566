# Minimal gated unit: a recurrent layer with one gate (Zhou et al., 2016)
input  x[n,t,j]
param  W_f[h,j], U_f[h,k], b_f[h], W_q[h,j], U_q[h,k], b_q[h]
index  k: H
z_f[n,t,h] = sum(j, W_f[h,j]*x[n,t,j]) + sum(k, U_f[h,k]*s[n,t-1,k]) + b_f[h]
f[n,t,h]   = sigmoid(z_f[n,t,h])
e[n,t,h]   = f[n,t,h]*s[n,t-1,h]
z_q[n,t,h] = sum(j, W_q[h,j]*x[n,t,j]) + sum(k, U_q[h,k]*e[n,t,k]) + b_q[h]
q[n,t,h]   = tanh(z_q[n,t,h])
output s[n,t,h] = (1 - f[n,t,h])*s[n,t-1,h] + f[n,t,h]*q[n,t,h]
