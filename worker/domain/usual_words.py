"""Words with which people ask, and not what they ask about: no group of questions is named by them,
and they bring a page less far up than others."""

USUAL_WORDS = """
about after again also anything because been before being cannot could does doing dont from have
hello help here just know like make more need please question really should some something still
thank thanks that their them there these they thing this those though time today using very want
wanted were what when where which while will with without would your yours
able actually again ahead always amount anyone asking assistance available back below best better
call called cannot change changed check contact customer days didn didnt different doesn doesnt
done even ever every find first getting gives give given going gone good great hasn haven having
hear hope http https information issue issues keep kind last least long longer look looking made
making many maybe much must never next nothing number only other please possible problem problems
provide quite reason receive received recently regarding said same says seem seems send sent
service services shall since someone soon sorry still such sure take tell team than then think
told tried trouble try trying under understand until used using wait waiting ways well whether
whole whose within wonder work working works writing wrong xxxx year years yesterday
aber alle auch bitte danke dass diese einen eine einer hallo haben ihre ihren kann können meine
meinen mich mein möchte nicht noch oder sind über wann warum wenn werden wird
avec bonjour comment dans elle mais merci notre pour pourquoi quand sont votre vous
cómo cuando desde donde este esta gracias hola para pero porque puedo quiero sobre tengo
buongiorno come della delle grazie posso quando questo sono vorrei
"""
