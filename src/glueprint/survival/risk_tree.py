"""A binary tree over risk sets: rows that are in a stretch of them, as few nodes each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from glueprint.survival._check import Floats, Integers


@dataclass(frozen=True)
class RiskTree:
    """Node 1 is the root, 2 i and 2 i + 1 are the halves of node i, and leaf k is node size + k.

    leaves: number of risk sets.   size: leaves of the full tree, a power of 2.
    row, node: pairs; the nodes of a row make up the risk sets it is in.
    member: (2 size, n) one for each pair.
    """

    leaves: int
    size: int
    row: Integers
    node: Integers
    member: csr_array

    def sums(self, values: Floats) -> Floats:
        """Sums of values (n, ...) over the rows in each risk set, (leaves, ...).

        Only sums of what is there, no differences: a small risk set keeps its digits beside large ones.
        """
        at_node = np.asarray(self.member @ values.reshape(values.shape[0], -1))
        begin = 1
        while begin < self.size:
            at_node[2 * begin : 4 * begin] += np.repeat(at_node[begin : 2 * begin], 2, axis=0)
            begin *= 2
        leaf: Floats = at_node[self.size : self.size + self.leaves]
        return leaf.reshape(self.leaves, *values.shape[1:])

    def over(self, values: Floats) -> Floats:
        """Sums of values (leaves, ...) over the risk sets each row is in, (n, ...)."""
        at_node = np.zeros((2 * self.size, int(np.prod(values.shape[1:]))))
        at_node[self.size : self.size + self.leaves] = values.reshape(self.leaves, -1)
        begin = self.size // 2
        while begin:
            at_node[begin : 2 * begin] = (
                at_node[2 * begin : 4 * begin : 2] + at_node[2 * begin + 1 : 4 * begin : 2]
            )
            begin //= 2
        row: Floats = np.asarray(self.member.T @ at_node)
        return row.reshape(-1, *values.shape[1:])


def risk_tree(first: Integers, end: Integers, leaves: int) -> RiskTree:
    """The tree of rows that are each in the risk sets from `first` to before `end`.

    first, end: (n,); a row with end <= first is in none.   leaves: number of risk sets.
    Returns RiskTree, with at most 2 log2(leaves) nodes for each row.
    Source: the segment tree of computational geometry, de Berg et al. 2008, section 10.3.
    """
    size = 1 << max(leaves - 1, 0).bit_length()
    row = np.flatnonzero(end > first)
    low, high = first[row] + size, end[row] + size
    rows, nodes = [row[:0]], [row[:0]]
    while row.size:
        odd = (low & 1) == 1
        rows.append(row[odd])
        nodes.append(low[odd])
        low = low + odd
        odd = ((high & 1) == 1) & (low < high)
        rows.append(row[odd])
        nodes.append(high[odd] - 1)
        low, high = low >> 1, high >> 1
        open_ = low < high
        row, low, high = row[open_], low[open_], high[open_]
    pairs = np.concatenate(rows), np.concatenate(nodes)
    ones = np.ones(pairs[0].size)
    return RiskTree(leaves, size, *pairs, csr_array((ones, pairs[::-1]), shape=(2 * size, first.size)))
