"""What happens: visits, doses, disease, toxicity and follow-up, and what the laboratories measure."""
