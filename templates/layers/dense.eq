# A weighted sum for each neuron
input x[*,j]
param w[i,j], b[i]?
z[*,i] = sum(j, w[i,j]*x[*,j]) + b[i]
output a[*,i] = act(z[*,i])
