namespace Muster.Cryptography.Pkcs11;

/// <summary>
/// A key in a hardware module cannot be used. The message says what to do and holds no PIN; at the start it refuses the start, later it
/// means "not possible now".
/// </summary>
public sealed class TokenException : InvalidOperationException
{
    public TokenException()
    {
    }

    public TokenException(string message)
        : base(message)
    {
    }

    public TokenException(string message, Exception? inner)
        : base(message, inner)
    {
    }

    /// <summary>Trying again, with the module started anew, cannot help and might lock the token.</summary>
    internal bool IsFinal { get; private init; }

    internal static TokenException Final(string message) => new(message) { IsFinal = true };
}
