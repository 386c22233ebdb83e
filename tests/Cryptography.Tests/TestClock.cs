namespace Muster.Cryptography.Tests;

/// <summary>The instants of these tests; the certificates are made around them.</summary>
internal static class TestClock
{
    public static DateTimeOffset Now { get; } = new(2026, 9, 1, 12, 0, 0, TimeSpan.Zero);
}
