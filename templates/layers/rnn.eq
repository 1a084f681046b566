# A recurrent layer
input x[n,t,j]
param w[i,j], u[i,k], b[i]?
index k: I
z[n,t,i] = sum(j, w[i,j]*x[n,t,j]) + sum(k, u[i,k]*a[n,t-1,k]) + b[i]
output a[n,t,i] = act(z[n,t,i])
