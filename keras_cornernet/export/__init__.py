"""A trained model in the form that its user deploys."""
