namespace Muster.Cluster.Tests;

/// <summary>A host that cannot be part of the cluster ends with a sentence.</summary>
[Collection(ClusterSite.Collection)]
public sealed class StartTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("Gateway", "gateway", "", "asks for a password and Muster:Store:ConnectionString has none")]
    [InlineData("Gateway", "gateway", ",password=wrong", "refuses the password of Muster:Store:ConnectionString")]
    [InlineData("Gateway", "gateway", ",password=wrong,abortConnect=false", "refuses the password of Muster:Store:ConnectionString")]
    [InlineData("Silo", "silo", "", "asks for a password and Muster:Store:ConnectionString has none")]
    [InlineData("Silo", "silo", ",password=wrong", "refuses the password of Muster:Store:ConnectionString")]
    [InlineData("Silo", "gateway", null, "has no operators-ca.key")]
    [InlineData("Gateway", "silo", null, "has no server.pem and server.key")]
    public async Task Host_WithoutWhatItNeeds_EndsWithASentence(string program, string pki, string? password, string sentence)
    {
        await using var site = await ClusterSite.PrepareAsync(Cancel);
        var settings = site.Settings(pki);
        if (password is not null)
        {
            settings["Muster__Store__ConnectionString"] = site.ConnectionString.Split(',')[0] + password;
        }

        var host = site.Start("host", program, settings);
        var code = await host.WaitForExitAsync(Patience, Cancel);

        Assert.Equal(1, code);
        Assert.Contains(sentence, host.Error(), StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", host.Error(), StringComparison.Ordinal);
        Assert.DoesNotContain("wrong", host.Error(), StringComparison.Ordinal);
    }
}
