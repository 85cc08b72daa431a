neuro.network @n dt 1.0 {}
neuro.dataset @rows file "none.npy"
