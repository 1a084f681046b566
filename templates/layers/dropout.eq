# Dropout with a mask that is given
input x[*,i]
data m[*,i]
number rate = 0.5
output a[*,i] = m[*,i]*x[*,i]/(1 - rate)
