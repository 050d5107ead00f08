"""What is written: arms, doses, rules, visits, case-mix and follow-up of a trial, and what a file may say."""
