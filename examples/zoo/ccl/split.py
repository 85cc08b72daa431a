# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes data/: the digits of examples/digits, every fifth to the test half.

A fixed random order, so that batches mix writers; 352 test images are 11
batches of 32.
"""
import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.join(HERE, "..", "..", "digits", "data")

images = np.load(os.path.join(SOURCE, "digits-images.npy")).reshape(-1, 64)
labels = np.load(os.path.join(SOURCE, "digits-labels.npy")).ravel()
test = np.arange(len(images)) % 5 == 4
order = np.random.default_rng(0).permutation((~test).sum())
os.makedirs(os.path.join(HERE, "data"), exist_ok=True)
for name, array in {
        "train-images": images[~test][order],
        "train-classes": np.eye(10)[labels[~test][order]],
        "test-images": images[test][:352],
        "test-classes": np.eye(10)[labels[test][:352]]}.items():
    np.save(os.path.join(HERE, "data", name + ".npy"), array.astype(np.uint8))
