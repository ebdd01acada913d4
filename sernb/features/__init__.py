"""What a network is fed: sound, spectrograms, frames, encoder states, tokens, transcripts, acoustics."""
