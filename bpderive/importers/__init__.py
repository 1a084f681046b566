"""Other people's models as specs: PyTorch modules and ONNX files.

`loading` runs a file, `torch_*` and `onnx_*` read one model each; both say what they find with
`saying`, in layers of `graph`; `assembling` makes items of them, `writing` texts, `checking`
compares gradients. The modules are imported when they are wanted: the libraries are extras.
"""
