namespace Muster.Domain.Images;

/// <summary>A secret that links to images are signed with.</summary>
/// <param name="Number">Grows; stands in the link.</param>
/// <param name="Secret">32 random bytes (RFC 2104 asks for the length of the hash).</param>
/// <param name="MadeAt">Since when it signs.</param>
[GenerateSerializer, Immutable, Alias("muster.link-key")]
public sealed record LinkKey(
    [property: Id(0)] int Number, [property: Id(1)] ImmutableArray<byte> Secret, [property: Id(2)] DateTimeOffset MadeAt)
{
    /// <summary>Bytes of a secret.</summary>
    public const int SecretBytes = 32;
}

/// <summary>The secrets of an installation, newest first: the newest signs, those behind it still verify.</summary>
[GenerateSerializer, Immutable, Alias("muster.link-keys")]
public sealed record LinkKeys([property: Id(0)] ImmutableArray<LinkKey> Keys)
{
    /// <summary>
    /// The newest, and two before it: a link lives a day at most, and a gateway that was not told of a new key signs with the one before.
    /// </summary>
    public const int KeysMax = 3;

    /// <summary>A secret that somebody copied is of no use after three of these.</summary>
    public static readonly TimeSpan SigningPeriod = TimeSpan.FromDays(1);

    /// <summary>Before the first.</summary>
    public static LinkKeys None { get; } = new([]);

    /// <summary>The one that signs; null before the first.</summary>
    public LinkKey? Newest => Keys.IsEmpty ? null : Keys[0];

    public LinkKey? Find(int number)
    {
        foreach (var key in Keys)
        {
            if (key.Number == number)
            {
                return key;
            }
        }

        return null;
    }

    /// <summary>Whether another one has to sign from now on.</summary>
    public bool IsDue(DateTimeOffset now) => Newest is not { } newest || now - newest.MadeAt >= SigningPeriod;

    /// <summary>Takes a new one and drops the oldest.</summary>
    public Decision<LinkKeys> Roll(ImmutableArray<byte> secret, DateTimeOffset now)
    {
        if (!IsDue(now))
        {
            return Decision.Unchanged(this);
        }

        var next = new LinkKey((Newest?.Number ?? 0) + 1, secret, now);
        return Decision.Accept(new LinkKeys([next, .. Keys.Take(KeysMax - 1)]), new LinkKeyMade(next.Number));
    }
}

/// <summary>Links to images are signed with another secret from now on.</summary>
[GenerateSerializer, Immutable, Alias("muster.link-key-made")]
public sealed record LinkKeyMade([property: Id(0)] int Number) : DomainEvent;
