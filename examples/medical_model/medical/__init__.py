"""A small model whose answers are paid for, document by document. Start with ../run.py."""
