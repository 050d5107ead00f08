"""Formulas as graphs: their derivatives, their values in numpy, the same as machine code. Knows no model."""
