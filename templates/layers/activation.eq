# An activation alone
input x[*,i]
output a[*,i] = act(x[*,i])
