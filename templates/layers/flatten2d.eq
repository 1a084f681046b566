# All axes of a sample as one
input x[n,c,t]
output a[n,(c,t)] = x[n,c,t]
