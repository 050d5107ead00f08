"""Clearance by the liver from what microsomes or hepatocytes remove in a vial.

Kernel: numbers in, numbers out.
Source: Rowland, Benet and Graham 1973, doi 10.1007/BF01059626 (well-stirred); Pang and Rowland 1977,
doi 10.1007/BF01059688 (parallel tubes).
"""

from __future__ import annotations

import math

__all__ = ["MODELS", "hepatic_clearance", "whole_liver"]

MODELS = ("well-stirred", "parallel-tube")
L_PER_H_FROM_UL_PER_MIN = 60.0e-6


def whole_liver(
    intrinsic_ul_per_min: float, *, units_per_g: float, liver_g: float, unbound_in_vial: float
) -> float:
    """Intrinsic clearance of unbound drug by a whole liver, L/h.

    intrinsic_ul_per_min: per mg of microsomal protein, or per million cells.   units_per_g: mg of protein, or
    millions of cells, in a gram of liver.   unbound_in_vial: fraction unbound in the incubation.
    """
    return intrinsic_ul_per_min / unbound_in_vial * units_per_g * liver_g * L_PER_H_FROM_UL_PER_MIN


def hepatic_clearance(
    intrinsic_l_per_h: float,
    *,
    blood_flow_l_per_h: float,
    fraction_unbound: float,
    blood_to_plasma: float,
    model: str,
) -> float:
    """Clearance of drug from plasma by the liver, L/h.

    intrinsic_l_per_h: of unbound drug, whole liver.   fraction_unbound: in plasma.   blood_to_plasma: ratio
    of concentrations.   model: one of MODELS. Of blood the liver clears at most its flow.
    """
    drive = fraction_unbound / blood_to_plasma * intrinsic_l_per_h
    flow = blood_flow_l_per_h
    extracted = drive / (flow + drive) if model == "well-stirred" else -math.expm1(-drive / flow)
    return flow * extracted * blood_to_plasma
