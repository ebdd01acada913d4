"""What a network is fed: sound, spectrograms, frames, states of encoders, tokens, transcripts, acoustic numbers."""
