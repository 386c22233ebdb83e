namespace Muster.Storage;

/// <summary>
/// Ids that tell one commit or entry from every other and protect nothing: 128 bits of a generator that is seeded by the system.
/// Guid.NewGuid asks the kernel each time, twice per commit.
/// </summary>
internal static class RandomId
{
    public static Guid Next()
    {
        Span<byte> bytes = stackalloc byte[16];
        Random.Shared.NextBytes(bytes);
        return new Guid(bytes);
    }
}
