"""What runs weights: llama.cpp in process, and OpenAI-compatible endpoints."""
