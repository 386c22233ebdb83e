using Muster.Contracts.CertificateStatus;
using Muster.Domain.Identity;
using Muster.Grains.Inventory;

namespace Muster.Grains.Tests.CertificateStatus;

public sealed class RevocationTableTests
{
    private static readonly DateTimeOffset Now = new(2026, 6, 1, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Read_OfWhatTheCallerHas_IsNothing_UntilSomethingChanges()
    {
        var table = new RevocationTable();
        table.Apply("default/A", [Revoked(1)]);
        var first = table.Read(default, Now)!;

        table.Apply("default/A", [Revoked(1)]);
        table.Apply("default/B", []);
        Assert.Null(table.Read(first.Mark, Now));
        table.Apply("default/B", [Revoked(2), Revoked(3) with { NotAfter = Now }]);
        var second = table.Read(first.Mark, Now)!;
        table.Apply("default/A", []);

        Assert.Equal([Revoked(1)], first.Revoked);
        Assert.Equal([Revoked(1), Revoked(2)], second.Revoked.OrderBy(revoked => revoked.Serial.Low));
        Assert.Equal([Revoked(2)], table.Read(second.Mark, Now)!.Revoked);
        Assert.NotNull(new RevocationTable().Read(new RevocationMark(Guid.NewGuid(), 1), Now));
    }

    [Fact]
    public void DifferencesTo_AFoldThatDiffers_NamesTheDevice()
    {
        var (shown, fold) = (new RevocationTable(), new RevocationTable());
        shown.Apply("default/A", [Revoked(1)]);
        fold.Apply("default/A", [Revoked(1)]);
        Assert.Empty(shown.DifferencesTo(fold));

        fold.Apply("default/B", [Revoked(2)]);

        Assert.Contains("default/B", Assert.Single(shown.DifferencesTo(fold)), StringComparison.Ordinal);
    }

    private static RevokedCertificate Revoked(ulong number) =>
        new(new CertificateSerial(1, number), 1, RevocationCause.Superseded, Now, Now.AddDays(1));
}
