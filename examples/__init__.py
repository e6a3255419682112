"""Systems that tutorials describe, each a short script that prints its figures beside theirs.

    python -m examples                       all of them, as one table
    python -m examples xor --pictures here   some of them, and draw their pictures into a folder
    python -m examples.xor                   one of them

The tutorials:

- a notebook on the fundamentals of neural networks, "from scratch": least squares, gradient
  descent, logistic regression, XOR, penalties, dropout, scaling, clipping. It seeds NumPy's
  generator, so that its figures can be had digit for digit (see `examples._data`);
- an article on predicting mean and variance with two heads;
- "How Neural Networks Learn: A Probabilistic Viewpoint", and a note on maximum likelihood: losses
  as likelihoods;
- M. El Annas, "Introduction to Deep Learning, 3: Training, loss functions": the recipe.

Two follow no tutorial: counts that vary more than a Poisson distribution can, and lifetimes that
are known in part. Their figures stand beside the truth that the data are drawn from.
"""

SCRIPTS = (
    "linear_regression",
    "batch_sizes",
    "logistic_regression",
    "custom_density",
    "xor",
    "penalties",
    "penalty_and_batches",
    "dropout",
    "feature_scaling",
    "batch_normalization",
    "clipping",
    "information",
    "likelihoods",
    "recipe",
    "constant_variance",
    "overdispersed_counts",
    "survival",
    "two_clusters",
)
"""In the order in which one would read them. The last takes half a minute, all others a second."""
