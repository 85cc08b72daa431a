neuro.network @a dt 1.0 {}
neuro.network @b dt 1.0 {}
