"""Who is drawn: covariates, arms, bodies, and the chance that each patient carries."""
