# Convolution of images, in groups of channels
input x[n,(g,c),u,v]
param w[g,o,c,k,l], b[g,o]?
size L = K, S = 1, P = 0, D = 1
size I = (U + 2*P - D*(K-1) - 1)//S + 1
size J = (V + 2*P - D*(L-1) - 1)//S + 1
z[n,(g,o),i,j] = sum(c, k, l, w[g,o,c,k,l]*x[n,(g,c),S*(i-1)+D*(k-1)+1-P,S*(j-1)+D*(l-1)+1-P]) + b[g,o]
output a[n,(g,o),i,j] = act(z[n,(g,o),i,j])
