# The sum of two layers' outputs
input x[*,i], y[*,i]
output a[*,i] = x[*,i] + y[*,i]
