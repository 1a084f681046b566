# The output as it is
input x[*,i]
output a[*,i] = x[*,i]
