# A vector for each token
data x[n,t]
param E[v,d]
output a[n,t,d] = E[x[n,t],d]
