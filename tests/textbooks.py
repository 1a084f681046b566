"""What the textbooks print, line by line, for the tests of notations."""

# From the books, for a network with layers of 3 (the input), 4, 2 and 2 neurons: written by hand.
UNICODE = {
    "article": (
        "z¹ᵢ = Σⱼ w¹ᵢⱼ xⱼ + b¹ᵢ",
        "a¹ᵢ = σ(z¹ᵢ)",
        "L = ½ Σᵢ (a³ᵢ − yᵢ)²",
        "δ³ᵢ = a³ᵢ − yᵢ",
        "δ¹ᵢ = σ′(z¹ᵢ) Σₖ w²ₖᵢ δ²ₖ",
        "∂L/∂w²ᵢⱼ = δ²ᵢ a¹ⱼ",
        "∂L/∂b²ᵢ = δ²ᵢ",
    ),
    "nielsen": (
        "z²ⱼ = Σₖ w²ⱼₖ a¹ₖ + b²ⱼ",
        "a²ⱼ = σ(z²ⱼ)",
        "C = ½ Σⱼ (a⁴ⱼ − yⱼ)²",
        "δ⁴ⱼ = a⁴ⱼ − yⱼ",
        "δ²ⱼ = σ′(z²ⱼ) Σₖ w³ₖⱼ δ³ₖ",
        "∂C/∂w³ⱼₖ = δ³ⱼ a²ₖ",
        "∂C/∂b³ⱼ = δ³ⱼ",
    ),
    "bishop": (
        "a⁽¹⁾ⱼ = Σᵢ w⁽¹⁾ⱼᵢ xᵢ + b⁽¹⁾ⱼ",
        "z⁽¹⁾ⱼ = h(a⁽¹⁾ⱼ)",
        "E = ½ Σⱼ (yⱼ − tⱼ)²",
        "δ⁽³⁾ⱼ = yⱼ − tⱼ",
        "δ⁽¹⁾ⱼ = h′(a⁽¹⁾ⱼ) Σₖ w⁽²⁾ₖⱼ δ⁽²⁾ₖ",
        "∂E/∂w⁽²⁾ⱼᵢ = δ⁽²⁾ⱼ z⁽¹⁾ᵢ",
        "∂E/∂b⁽²⁾ⱼ = δ⁽²⁾ⱼ",
    ),
    "goodfellow": (
        "a⁽¹⁾ᵢ = Σⱼ W⁽¹⁾ᵢ,ⱼ xⱼ + b⁽¹⁾ᵢ",
        "h⁽¹⁾ᵢ = f(a⁽¹⁾ᵢ)",
        "J = ½ Σᵢ (ŷᵢ − yᵢ)²",
        "∂J/∂a⁽³⁾ᵢ = ŷᵢ − yᵢ",
        "∂J/∂a⁽¹⁾ᵢ = f′(a⁽¹⁾ᵢ) Σₚ W⁽²⁾ₚ,ᵢ · ∂J/∂a⁽²⁾ₚ",
        "∂J/∂W⁽²⁾ᵢ,ⱼ = ∂J/∂a⁽²⁾ᵢ · h⁽¹⁾ⱼ",
        "∂J/∂b⁽²⁾ᵢ = ∂J/∂a⁽²⁾ᵢ",
    ),
    "ufldl": (
        "z⁽²⁾ᵢ = Σⱼ W⁽¹⁾ᵢⱼ xⱼ + b⁽¹⁾ᵢ",
        "a⁽²⁾ᵢ = f(z⁽²⁾ᵢ)",
        "J = ½ Σᵢ (a⁽⁴⁾ᵢ − yᵢ)²",
        "δ⁽⁴⁾ᵢ = a⁽⁴⁾ᵢ − yᵢ",
        "δ⁽²⁾ᵢ = f′(z⁽²⁾ᵢ) Σⱼ W⁽²⁾ⱼᵢ δ⁽³⁾ⱼ",
        "∂J/∂W⁽²⁾ᵢⱼ = δ⁽³⁾ᵢ a⁽²⁾ⱼ",
        "∂J/∂b⁽²⁾ᵢ = δ⁽³⁾ᵢ",
    ),
    "cs229": (
        "z^[1]ᵢ = Σⱼ w^[1]ᵢⱼ xⱼ + b^[1]ᵢ",
        "a^[1]ᵢ = g(z^[1]ᵢ)",
        "L = ½ Σᵢ (a^[3]ᵢ − yᵢ)²",
        "dz^[3]ᵢ = a^[3]ᵢ − yᵢ",
        "dz^[1]ᵢ = g′(z^[1]ᵢ) Σₖ w^[2]ₖᵢ dz^[2]ₖ",
        "∂L/∂w^[2]ᵢⱼ = dz^[2]ᵢ a^[1]ⱼ",
        "∂L/∂b^[2]ᵢ = dz^[2]ᵢ",
    ),
    "cs231n": (
        "D₁,ᵢ = Σⱼ W₁,ᵢ,ⱼ Xⱼ + b₁,ᵢ",
        "H₁,ᵢ = σ(D₁,ᵢ)",
        "L = ½ Σᵢ (H₃,ᵢ − yᵢ)²",
        "dD₃,ᵢ = H₃,ᵢ − yᵢ",
        "dD₁,ᵢ = σ′(D₁,ᵢ) Σₖ W₂,ₖ,ᵢ dD₂,ₖ",
        "∂L/∂W₂,ᵢ,ⱼ = dD₂,ᵢ H₁,ⱼ",
        "∂L/∂b₂,ᵢ = dD₂,ᵢ",
    ),
    "cs224n": (
        "z₁,ⱼ = Σᵢ W₁,ᵢ,ⱼ xᵢ + b₁,ⱼ",
        "h₁,ⱼ = σ(z₁,ⱼ)",
        "J = ½ Σⱼ (h₃,ⱼ − yⱼ)²",
        "δ₃,ⱼ = h₃,ⱼ − yⱼ",
        "δ₁,ⱼ = σ′(z₁,ⱼ) Σₖ W₂,ⱼ,ₖ δ₂,ₖ",
        "∂J/∂W₂,ᵢ,ⱼ = δ₂,ⱼ h₁,ᵢ",
        "∂J/∂b₂,ⱼ = δ₂,ⱼ",
    ),
    "d2l": (
        "z⁽¹⁾ᵢ = Σⱼ w⁽¹⁾ᵢⱼ xⱼ + b⁽¹⁾ᵢ",
        "h⁽¹⁾ᵢ = σ(z⁽¹⁾ᵢ)",
        "J = ½ Σᵢ (oᵢ − yᵢ)²",
        "∂J/∂z⁽³⁾ᵢ = oᵢ − yᵢ",
        "∂J/∂z⁽¹⁾ᵢ = σ′(z⁽¹⁾ᵢ) Σₖ w⁽²⁾ₖᵢ · ∂J/∂z⁽²⁾ₖ",
        "∂J/∂w⁽²⁾ᵢⱼ = ∂J/∂z⁽²⁾ᵢ · h⁽¹⁾ⱼ",
        "∂J/∂b⁽²⁾ᵢ = ∂J/∂z⁽²⁾ᵢ",
    ),
    "3blue1brown": (
        "z⁽¹⁾ⱼ = Σₖ w⁽¹⁾ⱼₖ a⁽⁰⁾ₖ + b⁽¹⁾ⱼ",
        "a⁽¹⁾ⱼ = σ(z⁽¹⁾ⱼ)",
        "C = Σⱼ (a⁽³⁾ⱼ − yⱼ)²",
        "∂C/∂z⁽³⁾ⱼ = 2(a⁽³⁾ⱼ − yⱼ)",
        "∂C/∂z⁽¹⁾ⱼ = σ′(z⁽¹⁾ⱼ) Σₖ w⁽²⁾ₖⱼ · ∂C/∂z⁽²⁾ₖ",
        "∂C/∂w⁽²⁾ⱼₖ = ∂C/∂z⁽²⁾ⱼ · a⁽¹⁾ₖ",
        "∂C/∂b⁽²⁾ⱼ = ∂C/∂z⁽²⁾ⱼ",
    ),
}
LATEX = {
    "article": (
        r"z^{1}_{i} = \sum_{j=1}^{3} w^{1}_{ij}\,x_{j} + b^{1}_{i}",
        r"\delta^{1}_{i} = \sigma'(z^{1}_{i}) \sum_{k=1}^{2} w^{2}_{ki}\,\delta^{2}_{k}",
        r"\frac{\partial L}{\partial w^{2}_{ij}} = \delta^{2}_{i}\,a^{1}_{j}",
    ),
    "nielsen": (
        r"z^{2}_{j} = \sum_{k=1}^{3} w^{2}_{jk}\,a^{1}_{k} + b^{2}_{j}",
        r"\delta^{2}_{j} = \sigma'(z^{2}_{j}) \sum_{k=1}^{2} w^{3}_{kj}\,\delta^{3}_{k}",
        r"\frac{\partial C}{\partial w^{3}_{jk}} = \delta^{3}_{j}\,a^{2}_{k}",
    ),
    "bishop": (
        r"a^{(1)}_{j} = \sum_{i=1}^{3} w^{(1)}_{ji}\,x_{i} + b^{(1)}_{j}",
        r"\delta^{(1)}_{j} = h'(a^{(1)}_{j}) \sum_{k=1}^{2} w^{(2)}_{kj}\,\delta^{(2)}_{k}",
        r"\frac{\partial E}{\partial w^{(2)}_{ji}} = \delta^{(2)}_{j}\,z^{(1)}_{i}",
    ),
    "goodfellow": (
        r"a^{(1)}_{i} = \sum_{j=1}^{3} W^{(1)}_{i,j}\,x_{j} + b^{(1)}_{i}",
        r"\frac{\partial J}{\partial a^{(1)}_{i}} = f'(a^{(1)}_{i}) \sum_{p=1}^{2} W^{(2)}_{p,i} "
        r"\frac{\partial J}{\partial a^{(2)}_{p}}",
        r"\frac{\partial J}{\partial W^{(2)}_{i,j}} = \frac{\partial J}{\partial a^{(2)}_{i}}"
        r"\,h^{(1)}_{j}",
    ),
    "ufldl": (
        r"z^{(2)}_{i} = \sum_{j=1}^{3} W^{(1)}_{ij}\,x_{j} + b^{(1)}_{i}",
        r"\delta^{(2)}_{i} = f'(z^{(2)}_{i}) \sum_{j=1}^{2} W^{(2)}_{ji}\,\delta^{(3)}_{j}",
        r"\frac{\partial J}{\partial W^{(2)}_{ij}} = \delta^{(3)}_{i}\,a^{(2)}_{j}",
    ),
    "cs229": (
        r"z^{[1]}_{i} = \sum_{j=1}^{3} w^{[1]}_{ij}\,x_{j} + b^{[1]}_{i}",
        r"dz^{[1]}_{i} = g'(z^{[1]}_{i}) \sum_{k=1}^{2} w^{[2]}_{ki}\,dz^{[2]}_{k}",
        r"\frac{\partial L}{\partial w^{[2]}_{ij}} = dz^{[2]}_{i}\,a^{[1]}_{j}",
    ),
    "cs231n": (
        r"D_{1,i} = \sum_{j=1}^{3} W_{1,i,j}\,X_{j} + b_{1,i}",
        r"dD_{1,i} = \sigma'(D_{1,i}) \sum_{k=1}^{2} W_{2,k,i}\,dD_{2,k}",
        r"\frac{\partial L}{\partial W_{2,i,j}} = dD_{2,i}\,H_{1,j}",
    ),
    "cs224n": (
        r"z_{1,j} = \sum_{i=1}^{3} W_{1,i,j}\,x_{i} + b_{1,j}",
        r"\delta_{1,j} = \sigma'(z_{1,j}) \sum_{k=1}^{2} W_{2,j,k}\,\delta_{2,k}",
        r"\frac{\partial J}{\partial W_{2,i,j}} = \delta_{2,j}\,h_{1,i}",
    ),
    "d2l": (
        r"z^{(1)}_{i} = \sum_{j=1}^{3} w^{(1)}_{ij}\,x_{j} + b^{(1)}_{i}",
        r"\frac{\partial J}{\partial z^{(1)}_{i}} = \sigma'(z^{(1)}_{i}) \sum_{k=1}^{2} "
        r"w^{(2)}_{ki} \frac{\partial J}{\partial z^{(2)}_{k}}",
        r"\frac{\partial J}{\partial w^{(2)}_{ij}} = \frac{\partial J}{\partial z^{(2)}_{i}}"
        r"\,h^{(1)}_{j}",
    ),
    "3blue1brown": (
        r"z^{(1)}_{j} = \sum_{k=1}^{3} w^{(1)}_{jk}\,a^{(0)}_{k} + b^{(1)}_{j}",
        r"\frac{\partial C}{\partial z^{(1)}_{j}} = \sigma'(z^{(1)}_{j}) \sum_{k=1}^{2} "
        r"w^{(2)}_{kj} \frac{\partial C}{\partial z^{(2)}_{k}}",
        r"\frac{\partial C}{\partial w^{(2)}_{jk}} = \frac{\partial C}{\partial z^{(2)}_{j}}"
        r"\,a^{(1)}_{k}",
    ),
}
# The batch in matrices, as the books write it (Bishop and 3Blue1Brown have no batch).
MATRICES = {
    "article": ("Z² = A¹ W²ᵀ", "Δ¹ = (Δ² W²) ⊙ σ′(Z¹)", "∂L/∂W² = 1/N · Δ²ᵀ A¹"),
    "ufldl": ("Z⁽³⁾ = W⁽²⁾ A⁽²⁾", "∂J/∂W⁽²⁾ = 1/m · Δ⁽³⁾ A⁽²⁾ᵀ"),
    "nielsen": ("Z² = w² A¹ + b² 𝟏ᵀ", "Δ² = (w³ᵀ Δ³) ⊙ σ′(Z²)", "∂C/∂w³ = 1/m · Δ³ A²ᵀ"),
    "goodfellow": ("A⁽²⁾ = H⁽¹⁾ W⁽²⁾ᵀ", "∂J/∂W⁽²⁾ = 1/m · (∂S/∂A⁽²⁾)ᵀ · H⁽¹⁾"),
    "cs229": (
        "Z^[2] = W^[2] A^[1]",
        "dZ^[1] = (W^[2]ᵀ dZ^[2]) ⊙ g′(Z^[1])",
        "dW^[2] = 1/m · dZ^[2] A^[1]ᵀ",
    ),
    "cs231n": ("D₂ = W₂ H₁", "dD₁ = (W₂ᵀ dD₂) ⊙ σ′(D₁)", "dW₂ = dD₂ H₁ᵀ"),
    "cs224n": ("Z₂ = H₁ W₂ + 𝟏 b₂", "Δ₁ = (Δ₂ W₂ᵀ) ⊙ σ′(Z₁)", "∂J/∂W₂ = 1/N · H₁ᵀ Δ₂"),
}
SAMPLE = {  # of one sample, as a book that has it derives
    "cs224n": ("z₁ = x W₁ + b₁", "δ₁ = (δ₂ W₂ᵀ) ⊙ σ′(z₁)", "∂J/∂W₁ = xᵀ δ₁", "∂J/∂b₁ = δ₁"),
    "d2l": ("h⁽¹⁾ = σ(z⁽¹⁾)", "z⁽²⁾ = W⁽²⁾ h⁽¹⁾ + b⁽²⁾", "∂J/∂W⁽²⁾ = ∂J/∂z⁽²⁾ · h⁽¹⁾ᵀ"),
    "nielsen": ("δ² = (w³ᵀ δ³) ⊙ σ′(z²)", "∂C/∂w³ = δ³ a²ᵀ", "z² = w² a¹ + b²"),
    "bishop": ("z⁽¹⁾ = h(a⁽¹⁾)", "∂E/∂W⁽²⁾ = δ⁽²⁾ z⁽¹⁾ᵀ"),
    "3blue1brown": ("z⁽¹⁾ = W⁽¹⁾ a⁽⁰⁾ + b⁽¹⁾", "∂C/∂W⁽²⁾ = ∂C/∂z⁽²⁾ · a⁽¹⁾ᵀ"),
}
